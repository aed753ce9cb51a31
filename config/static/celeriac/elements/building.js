/* Small pieces of a page. Whatever comes from a job becomes text, never markup. */

/** `<tag class="kind" …>`; children are nodes or text. */
export function make(tag, kind = "", attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (kind) node.className = kind;
  set(node, attributes);
  node.append(...children);
  return node;
}

/** Null and false take an attribute away, true gives it without a value. */
export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const gone = value === null || value === undefined || value === false;
    if (gone) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value === true ? "" : value)) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
}

/** Only where it differs: screen readers say again whatever is written. */
export function write(node, text) {
  const shown = text ?? "";
  if (node.textContent !== shown) node.textContent = shown;
}

/** Text that takes no room when there is none. */
export function writeOrHide(node, text) {
  write(node, text);
  node.hidden = !text;
}

/** A status in its colour. */
export class Pill {
  constructor(attributes = {}) {
    this.node = make("span", "pill", { part: "status", ...attributes });
  }

  show(status, text = status) {
    set(this.node, { "data-status": status });
    write(this.node, text);
  }
}

/** How far a job is, for eyes and for screen readers. */
export class Bar {
  #fill = make("span", "fill", { part: "fill" });

  constructor() {
    const scale = { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 };
    this.node = make("div", "bar", { part: "bar", ...scale }, this.#fill);
  }

  show(job) {
    const percent = Math.max(0, Math.min(100, Number(job.progress) || 0));
    this.#fill.style.setProperty("inline-size", `${percent}%`);
    set(this.node, {
      "data-status": job.status,
      "aria-valuenow": Math.round(percent),
      "aria-valuetext": [`${Math.round(percent)} %`, job.progress_message].filter(Boolean).join(", "),
      "aria-label": `Progress of ${job.type}`,
    });
  }
}

/** "12 s", "3 min", "5 h", "2 d". */
export function span(seconds) {
  const units = [[86_400, "d"], [3600, "h"], [60, "min"]]; // prettier-ignore
  const [size, name] = units.find(([size]) => seconds >= size) ?? [1, "s"];
  return `${Math.max(0, Math.floor(seconds / size))} ${name}`;
}

export function since(moment) {
  return span((Date.now() - Date.parse(moment)) / 1000);
}
