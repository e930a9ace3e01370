// What is pasted from Word, Google Docs and web pages, as plain paragraphs, lists and links.
// A page's policy keeps pasted styles from taking effect, so they are read here as they are written.

const DROPPED = new Set(["STYLE", "SCRIPT", "META", "LINK", "TITLE", "XML", "O:P", "IMG", "HEAD", "TEMPLATE"]);
const BLOCKS = new Set(["P", "DIV", "H1", "H2", "H3", "H4", "H5", "H6", "TD", "TH", "TR", "SECTION", "ARTICLE", "BLOCKQUOTE", "UL", "OL", "LI", "TABLE", "PRE"]);
const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
const style = (element, name) => element.getAttribute("style")?.match(new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([^;]+)`, "i"))?.[1].trim().toLowerCase() ?? "";

/** The pasted HTML with nothing in it but what a bulletin can hold. */
export function clean(html) {
  // Word marks its bullets by conditional comments that no browser follows.
  const page = new DOMParser().parseFromString(html.replace(/<!\[(?:if|endif)[^>]*>/gi, ""), "text/html");
  return blocks(page.body.childNodes).join("");
}

// Every run of inline nodes is a paragraph; blocks are taken one by one.
function blocks(nodes) {
  const found = [];
  let run = "";
  let items = [];
  const endRun = () => {
    const text = tidy(run);
    if (text) found.push(`<p>${text}</p>`);
    run = "";
  };
  const endItems = () => {
    if (items.length) found.push(nested(items));
    items = [];
  };
  for (const node of nodes) {
    if (!isBlock(node)) {
      if (node.nodeType !== Node.TEXT_NODE || node.data.trim() || run) run += inline(node);
      continue;
    }
    endRun();
    const item = wordItem(node);
    if (item) {
      items.push(item);
      continue;
    }
    endItems();
    found.push(...block(node));
  }
  endRun();
  endItems();
  return found;
}

function block(element) {
  if (element.tagName === "UL" || element.tagName === "OL") return [list(element)];
  const inside = blocks(element.childNodes);
  if (element.tagName === "BLOCKQUOTE") return [`<blockquote>${inside.join("").replace(/<\/p><p>/g, "<br>").replace(/<\/?p>/g, "")}</blockquote>`];
  // A heading in the middle of a text is a bold line; bulletins have blocks for headings.
  if (/^H[1-6]$/.test(element.tagName)) return inside.map((each) => each.replace(/^<p>(?!<strong>)(.*)<\/p>$/, "<p><strong>$1</strong></p>"));
  return inside;
}

// Google Docs puts an inner list beside the entry that it belongs to, not into it.
function list(element) {
  const tag = element.tagName.toLowerCase();
  const entries = [];
  for (const child of element.children) {
    if (child.tagName === "LI") entries.push(entry(child));
    else if (/^[UO]L$/.test(child.tagName)) entries.push((entries.pop() ?? "") + list(child));
  }
  return `<${tag}>${entries.map((each) => `<li>${each}</li>`).join("")}</${tag}>`;
}

function entry(element) {
  const inside = blocks(element.childNodes).map((each) => each.replace(/^<p>(.*)<\/p>$/s, "$1"));
  return inside.join("<br>").replace(/<br>(<[uo]l>)/g, "$1");
}

// Word writes a list as paragraphs that look like one, each with its sign in front.
function wordItem(element) {
  const told = style(element, "mso-list");
  if (!told || told === "none") return null;
  const copy = element.cloneNode(true);
  const sign = [...copy.querySelectorAll("span")].find((each) => /ignore/i.test(style(each, "mso-list")));
  const isOrdered = /^\(?[\da-z]{1,4}[.)]/i.test(sign?.textContent.trim() ?? "");
  sign?.remove();
  return { level: Number(told.match(/level(\d+)/)?.[1] ?? 1), tag: isOrdered ? "ol" : "ul", text: tidy(runs(copy)) };
}

function nested(items) {
  const { level, tag } = items[0];
  const entries = [];
  for (let at = 0; at < items.length;) {
    if (items[at].level <= level) {
      entries.push(items[at].text);
      at += 1;
      continue;
    }
    const end = items.findIndex((each, place) => place > at && each.level <= level);
    const inner = items.slice(at, end < 0 ? items.length : end);
    entries.push((entries.pop() ?? "") + nested(inner));
    at += inner.length;
  }
  return `<${tag}>${entries.map((each) => `<li>${each}</li>`).join("")}</${tag}>`;
}

const isBlock = (node) => node.nodeType === Node.ELEMENT_NODE && (BLOCKS.has(node.tagName) || (!DROPPED.has(node.tagName) && [...node.children].some(isBlock)));
const runs = (element) => [...element.childNodes].map(inline).join("");

function inline(node) {
  if (node.nodeType === Node.TEXT_NODE) return escaped(node.data.replace(/[\s\u00a0]+/g, " "));
  if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.tagName)) return "";
  if (node.tagName === "BR") return "<br>";
  const text = runs(node);
  if (!text.trim()) return text && " ";
  return linked(node, dressed(node, text));
}

function dressed(element, text) {
  const weight = style(element, "font-weight");
  const isBold = weight ? weight.startsWith("bold") || Number(weight) >= 600 : /^(B|STRONG)$/.test(element.tagName);
  const slant = style(element, "font-style");
  const isItalic = slant ? slant === "italic" : /^(I|EM)$/.test(element.tagName);
  const slanted = isItalic ? `<em>${text}</em>` : text;
  return isBold ? `<strong>${slanted}</strong>` : slanted;
}

function linked(element, text) {
  if (element.tagName !== "A") return text;
  let href = element.getAttribute("href") ?? "";
  // Links out of a published Google document lead through Google.
  const through = href.match(/^https:\/\/www\.google\.com\/url\?(.*)$/);
  if (through) href = new URLSearchParams(through[1]).get("q") ?? href;
  return /^(https?:|mailto:|site:\/)/.test(href) ? `<a href="${escaped(href).replace(/"/g, "&quot;")}">${text}</a>` : text;
}

const tidy = (text) => text.replace(/ {2,}/g, " ").replace(/^(?:\s|<br>)+|(?:\s|<br>)+$/g, "").replace(/<\/(strong|em)><\1>/g, "");
