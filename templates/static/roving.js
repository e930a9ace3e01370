// Things of one kind are one stop for Tab, and arrows move among them (WAI-ARIA toolbar pattern).
const heard = new WeakSet();
const everyOf = (bar) => [...bar.querySelectorAll("a[href], button")];
const thingsOf = (bar) => everyOf(bar).filter((each) => !each.disabled && each.getClientRects().length);

function stopAt(bar, wanted) {
  // What is folded away has no place on the page yet, but will have.
  const stop = wanted ?? everyOf(bar).find((each) => !each.disabled);
  for (const each of everyOf(bar)) each.tabIndex = each === stop ? 0 : -1;
}

function moved(event) {
  const bar = event.currentTarget;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const isEnd = event.key === "Home" || event.key === "End";
  if ((!step && !isEnd) || event.altKey || event.ctrlKey || event.metaKey) return;
  const things = thingsOf(bar);
  const at = things.indexOf(event.target);
  if (at < 0) return;
  event.preventDefault();
  (isEnd ? things.at(event.key === "Home" ? 0 : -1) : things[(at + step + things.length) % things.length]).focus();
}

/** Makes a toolbar of what stands in `bar`; to be called again when something in it went or came. */
export function rove(bar, name) {
  bar.setAttribute("role", "toolbar");
  if (name) bar.setAttribute("aria-label", name);
  const things = thingsOf(bar);
  stopAt(bar, things.includes(document.activeElement) ? document.activeElement : things[0]);
  if (heard.has(bar)) return;
  heard.add(bar);
  bar.addEventListener("keydown", moved);
  bar.addEventListener("focusin", (event) => {
    if (thingsOf(bar).includes(event.target)) stopAt(bar, event.target);
  });
  // What one pressed last may be switched off by that, as the last step back is.
  bar.addEventListener("focusout", () => {
    if (!thingsOf(bar).some((each) => each.tabIndex === 0)) stopAt(bar, thingsOf(bar)[0]);
  });
}
