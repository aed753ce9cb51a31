/* Which client an element works with: its own, or one that it shares with its like on the page, so
   that all of them together need one connection. */

import { Celeriac } from "../celeriac.js";

export const CLIENT_ATTRIBUTES = ["base-url", "token", "tenant"];
const clients = new Map();

export function clientOf(element) {
  const [baseUrl, token, tenant] = CLIENT_ATTRIBUTES.map((name) => element.getAttribute(name) ?? "");
  const key = JSON.stringify([baseUrl, token, tenant]);
  if (!clients.has(key)) clients.set(key, new Celeriac({ baseUrl, token, tenant }));
  return clients.get(key);
}
