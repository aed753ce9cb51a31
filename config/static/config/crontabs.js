// Keeps the words beside a periodic task's crontab those of the one that is chosen. The package's
// own script does so from within the page, which the policy of the admin's pages does not let run.
(() => {
    const words = JSON.parse(document.getElementById("readable-crontabs").textContent);
    const choice = document.getElementById("id_crontab");
    const told = document.querySelector("[data-crontab-in-words]");
    if (!choice || !told) return; // a page that is only shown
    const tell = () => { told.textContent = words[choice.value] ?? ""; };
    django.jQuery(choice).on("change", tell); // a pop-up that adds one tells jQuery alone
    tell();
})();
