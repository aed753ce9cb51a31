// The pages of schedules in the admin: switches in the list, and the preview that follows the typing.
"use strict";

// A switch means its own row alone, whatever is chosen.
function offerSwitches() {
    const form = document.querySelector("[data-choosing]");
    if (!form) return;
    for (const button of form.querySelectorAll("[data-switch]")) {
        button.addEventListener("click", () => {
            for (const box of form.querySelectorAll("tbody .cel-check input")) box.disabled = true;
        });
    }
}

// Asks what the rule means a moment after the last key; an answer that was overtaken is dropped.
function followTyping() {
    const form = document.querySelector("[data-schedule-form]");
    if (!form) return;
    const place = form.querySelector("[data-rule-preview]");
    const names = new Set(["cron_expression", "timezone", "dst_policy", "starts_at", "ends_at", "calendar_ids"]);
    const pause = 300;
    let waiting = 0;
    let asked = 0;
    async function look() {
        const mine = ++asked;
        const body = new URLSearchParams([...new FormData(form)].filter(([name]) => typeof name === "string" && name !== "payload"));
        const options = { method: "POST", body, credentials: "same-origin" };
        const answer = await fetch(form.dataset.previewUrl, options).catch(() => null);
        if (!answer || !answer.ok || answer.redirected) return;
        const part = await answer.text();
        if (mine === asked) place.innerHTML = part;
    }
    form.addEventListener("input", (event) => {
        if (!names.has(event.target.name)) return;
        window.clearTimeout(waiting);
        waiting = window.setTimeout(look, pause);
    });
}

offerSwitches();
followTyping();
