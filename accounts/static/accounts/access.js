"use strict";
// Copying, asking before what cannot be undone, and forgetting what is shown once.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.copied;
  } catch {
    // Without TLS a browser lends no clipboard: the text is selected, for the keyboard.
    window.getSelection().selectAllChildren(source);
  }
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

window.addEventListener("pagehide", () => {
  document.querySelectorAll("[data-once]").forEach((element) => element.replaceChildren());
});
