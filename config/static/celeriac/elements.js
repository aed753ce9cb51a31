/* Custom elements over the client: <celeriac-job> and <celeriac-dashboard>. Importing this module
   makes the browser know them. */

import { CeleriacDashboard } from "./elements/dashboard.js";
import { CeleriacJob } from "./elements/job.js";

export { CeleriacDashboard, CeleriacJob };

define("celeriac-job", CeleriacJob);
define("celeriac-dashboard", CeleriacDashboard);

/** A page may load two copies, from two places. */
function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}
