// The pages of webhooks in the admin: rows of headers and fields of a strategy in the form.
"use strict";

function offerMoreHeaders() {
    const place = document.querySelector("[data-headers]");
    const button = document.querySelector("[data-more-headers]");
    if (!place || !button) return;
    const rows = () => place.querySelectorAll("[data-header]");
    const show = () => { button.hidden = rows().length >= Number(place.dataset.headers); };
    button.addEventListener("click", () => {
        const row = rows()[0].cloneNode(true);
        row.classList.remove("cel-wrong");
        for (const told of row.querySelectorAll(".cel-errors")) told.remove();
        for (const box of row.querySelectorAll("input")) {
            box.value = "";
            box.removeAttribute("value");
        }
        place.append(row);
        row.querySelector("input").focus();
        show();
    });
    show();
}

// Only the fields of the chosen strategy are shown; without this script all of them are.
function offerStrategies() {
    const fields = { backoff: ["max_attempts", "backoff_seconds", "max_seconds"], schedule: ["schedule"] };
    const choices = [...document.querySelectorAll("[data-endpoint-form] input[name=retry]")];
    if (!choices.length) return;
    function show() {
        const chosen = choices.find((one) => one.checked);
        for (const [strategy, names] of Object.entries(fields)) {
            for (const name of names) {
                document.querySelector(`[data-field=${name}]`).hidden = !chosen || chosen.value !== strategy;
            }
        }
    }
    for (const one of choices) one.addEventListener("change", show);
    show();
}

offerMoreHeaders();
offerStrategies();
