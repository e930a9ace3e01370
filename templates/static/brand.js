// Shows a look while it is chosen: both mails, and how well its colours can be read.
// Without it, they are those of the look that was saved.

const PAUSE_MS = 200;
const LONGEST = 6000; // of an address
const LANGUAGE = document.documentElement.lang;
const form = document.querySelector("[data-brand]");

function tried() {
  const values = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const isOther = name.includes("-") && !name.endsWith(`-${LANGUAGE}`);
    if (typeof value === "string" && !isOther) values.set(name, value);
  }
  values.delete("csrf_token");
  values.set("lang", LANGUAGE);
  if (values.toString().length > LONGEST) values.delete(`footer-${LANGUAGE}`);
  return values;
}

async function look() {
  const values = tried();
  for (const frame of document.querySelectorAll("[data-sample]")) {
    values.set("scheme", frame.dataset.sample);
    // Replacing the document keeps the way back in the browser's history as it was.
    frame.contentWindow?.location.replace(`/staff/brand/sample?${values}`);
  }
  const answer = await fetch(`/staff/brand/checks?${values}`, { headers: { Accept: "text/html" } });
  if (answer.ok) form.querySelector("[data-checks]").innerHTML = await answer.text();
}

let waiting = 0;
form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, PAUSE_MS);
});
