// Says under a periodic task's crontab what it means. The package's own script does so from within
// the page, which the policy of the admin's pages does not let run.
(() => {
    const words = JSON.parse(document.getElementById("readable-crontabs").textContent);
    const choice = document.getElementById("id_crontab");
    const copy = document.querySelector(".field-crontab_translation");
    if (copy) copy.hidden = true;
    if (!choice) return;
    const told = document.createElement("p");
    told.dataset.crontabInWords = "";
    told.className = "cel-quiet";
    (choice.closest(".field-crontab") ?? choice.parentElement).append(told);
    const tell = () => { told.textContent = words[choice.value] ?? ""; };
    django.jQuery(choice).on("change", tell); // a pop-up that adds one tells jQuery alone
    tell();
})();
