// Tables on a phone: each cell carries the heading of its column, so that a row can stand for itself
// (`parts.css`). What is drawn as no table is one still for those who listen: roles say so.

const PARTS = { table: "table", tbody: "rowgroup", tfoot: "rowgroup", tr: "row", td: "cell", "tbody th": "rowheader" };

function stack(wrap) {
  if (wrap.closest(".chart")) return;
  const table = wrap.querySelector("table");
  const headings = [...(table?.tHead?.rows ?? [])].at(-1)?.cells ?? [];
  // Two columns stand side by side wherever they find room.
  if (headings.length < 2 || (headings.length === 2 && wrap.scrollWidth <= wrap.clientWidth)) return;
  wrap.dataset.stacked = "";
  const words = [...headings].map((each) => (each.querySelector(".visually-hidden") ? "" : each.textContent.trim()));
  for (const [part, role] of Object.entries(PARTS)) {
    const all = part === "table" ? [table] : table.querySelectorAll(part);
    for (const each of all) each.setAttribute("role", role);
  }
  for (const body of [...table.tBodies, table.tFoot].filter(Boolean)) {
    for (const row of body.rows) label(row, words);
  }
}

function label(row, words) {
  const cells = [...row.cells];
  if (!cells.some((each) => each.tagName === "TH")) cells[0]?.classList.add("leads");
  let column = 0;
  for (const cell of cells) {
    if (cell.tagName === "TD" && !cell.classList.contains("leads") && words[column]) {
      cell.dataset.label = words[column];
    }
    cell.classList.toggle("blank", !cell.children.length && !cell.textContent.trim());
    column += cell.colSpan;
  }
}

/** Readies every table that is here, those that come later, and those whose window grows narrow. */
export function watch() {
  const look = () => document.querySelectorAll(".table-wrap:not([data-stacked])").forEach(stack);
  look();
  addEventListener("resize", look);
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}
