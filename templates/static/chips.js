// Merge fields as chips: one piece in the editor, `{{ … }}` in what is kept.

const FIELD = /\{\{\s*([\w.]+)\s*(?:\|\s*default_if_blank\s*\(\s*["'“]([^"'”]*)["'”]\s*\)\s*)?\}\}/g;
const KIND = "application/vnd.handbill.field";
const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

/** A chip for the field `name`, with what stands in where a reader has none. */
export function chip(name, otherwise, words) {
  const label = new Map(words.fields).get(name) ?? name;
  const text = otherwise ? words.else.replace("{field}", label).replace("{text}", otherwise) : label;
  const field = otherwise ? `{{ ${name} | default_if_blank("${otherwise}") }}` : `{{ ${name} }}`;
  return { contentType: KIND, field, content: `<span class="chip">${escaped(text)}</span>` };
}

/** Kept HTML as the editor reads it: its fields are chips. Those in addresses stay as they are. */
export function toChips(html, words) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const texts = document.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) if (texts.currentNode.data.includes("{{")) found.push(texts.currentNode);
  for (const node of found) {
    const pieces = document.createDocumentFragment();
    let end = 0;
    for (const match of node.data.matchAll(FIELD)) {
      pieces.append(node.data.slice(end, match.index));
      const span = document.createElement("span");
      span.dataset.trixAttachment = JSON.stringify({ ...chip(match[1], match[2] ?? "", words), field: match[0] });
      pieces.append(span);
      end = match.index + match[0].length;
    }
    pieces.append(node.data.slice(end));
    node.replaceWith(pieces);
  }
  return page.body.innerHTML;
}

/** What the editor holds as it is kept. */
export function fromChips(html) {
  return html.replace(/<span\b[^>]*\bdata-trix-attachment="([^"]*)"[^>]*>\s*<span\b[^>]*>[^<]*<\/span>\s*<\/span>/g, (_, told) => {
    const text = new DOMParser().parseFromString(told, "text/html").body.textContent;
    return escaped(JSON.parse(text).field ?? "");
  });
}
