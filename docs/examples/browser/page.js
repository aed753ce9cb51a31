/* Hands a job in, shows it while it runs and its result in the end. */

const baseUrl = document.querySelector("meta[name=celeriac]").content;
const { Celeriac } = await import(`${baseUrl}/static/celeriac/celeriac.js`);
await import(`${baseUrl}/static/celeriac/elements.js`);

const element = document.querySelector("celeriac-job");
const form = document.getElementById("form");
const result = document.getElementById("result");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { token, seconds } = Object.fromEntries(new FormData(form));
  const celeriac = new Celeriac({ baseUrl, token });
  result.textContent = "";
  try {
    const job = await celeriac.create("diagnostics.sleep", { seconds: Number(seconds), steps: 50 });
    element.client = celeriac; // so that the token stands in no attribute
    element.jobId = job.id;
    element.hidden = false;
    const { status, result: found } = await celeriac.wait(job.id);
    result.textContent = `${status}: ${JSON.stringify(found, null, 2)}`;
  } catch (error) {
    result.textContent = error.message;
  }
});
