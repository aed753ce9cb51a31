/* The page /try/: hands jobs in and shows each by an element. */

import { Celeriac } from "./celeriac.js";

const MOST_SHOWN = 6;
const tenant = document.body.dataset.tenant;
const celeriac = new Celeriac({ tenant });
const form = document.getElementById("create");
const refused = document.getElementById("refused");
const jobs = document.getElementById("jobs");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { type, payload, priority } = Object.fromEntries(new FormData(form));
  refused.hidden = true;
  try {
    show(await celeriac.create(type, JSON.parse(payload), priority ? { priority } : {}));
  } catch (error) {
    const rules = (error.errors ?? []).map((one) => `${one.pointer}: ${one.detail}`);
    refused.textContent = [error.message, ...rules].join("\n");
    refused.hidden = false;
  }
});

function show(job) {
  const element = document.createElement("celeriac-job");
  if (tenant) element.setAttribute("tenant", tenant);
  element.setAttribute("job-id", job.id);
  jobs.prepend(element);
  while (jobs.children.length > MOST_SHOWN) jobs.lastElementChild.remove();
}

async function offerTypes() {
  const { items } = await celeriac.jobTypes();
  const options = items.map(({ name: value }) => Object.assign(document.createElement("option"), { value }));
  document.getElementById("types").replaceChildren(...options);
}

offerTypes().catch(() => {}); // the field takes any type without them
