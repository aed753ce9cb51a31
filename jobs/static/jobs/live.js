/* Keeps a part of a page fresh: <div id="…" data-live-seconds="5">. The page is asked for again
   while somebody looks at it, and the part replaced; a part that the reader is using (focus or
   selected text in it) waits. Without JavaScript the page simply stays as it was. */

const parts = document.querySelectorAll("[data-live-seconds]");

function inUse(part) {
  const selection = document.getSelection();
  const selects = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  return selects || (part.contains(document.activeElement) && document.activeElement !== part);
}

async function refresh(part) {
  if (document.hidden || inUse(part)) return;
  const answer = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (fresh && !inUse(part)) part.replaceChildren(...fresh.childNodes);
}

async function keepFresh(part) {
  for (;;) {
    await new Promise((wake) => setTimeout(wake, 1000 * Number(part.dataset.liveSeconds)));
    try {
      await refresh(part);
    } catch {
      // The server is away; the next look may find it again.
    }
  }
}

parts.forEach(keepFresh);
