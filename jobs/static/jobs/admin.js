// The pages of jobs in the admin: copying an id, choosing rows, and following a job that lives.
"use strict";

function offerCopies() {
    for (const button of document.querySelectorAll("[data-copy]")) {
        button.addEventListener("click", async () => {
            await navigator.clipboard.writeText(button.dataset.copy);
            button.textContent = "Copied";
        });
    }
}

function offerChoosing() {
    const form = document.querySelector("[data-choosing]");
    const told = form && form.querySelector("[data-chosen]");
    if (!told) return;
    const all = form.querySelector("[data-choose-all]");
    const boxes = [...form.querySelectorAll("tbody .cel-check input")];
    const empty = told.textContent;
    function show() {
        const chosen = boxes.filter((box) => box.checked).length;
        told.textContent = chosen ? `${chosen} chosen` : empty;
        all.checked = chosen > 0 && chosen === boxes.length;
        all.indeterminate = chosen > 0 && chosen < boxes.length;
        for (const button of form.querySelectorAll(".cel-bar button")) button.disabled = !chosen;
    }
    all.addEventListener("change", () => {
        for (const box of boxes) box.checked = all.checked;
        show();
    });
    form.addEventListener("change", show);
    show();
}

// Asks for the part that changes until the status does; then the whole page is another one.
function follow() {
    const place = document.getElementById("job-live");
    if (!place || !place.dataset.live) return;
    const status = () => place.querySelector("[data-job-live-status]").dataset.jobLiveStatus;
    const began = status();
    async function look() {
        if (!document.hidden) {
            const answer = await fetch(place.dataset.live, { credentials: "same-origin" }).catch(() => null);
            if (answer && (answer.redirected || answer.status === 404)) return;
            if (answer && answer.ok) place.innerHTML = await answer.text();
            if (status() !== began) {
                window.location.reload();
                return;
            }
        }
        window.setTimeout(look, 1000 * Number(place.dataset.liveSeconds));
    }
    window.setTimeout(look, 1000 * Number(place.dataset.liveSeconds));
}

offerCopies();
offerChoosing();
follow();
