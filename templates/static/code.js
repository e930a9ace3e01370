// A code editor over a text area, which goes on holding what the form sends; colours are in code.css.
import {
  bracketMatching,
  classHighlighter,
  defaultKeymap,
  drawSelection,
  EditorState,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  history,
  historyKeymap,
  indentWithTab,
  jinja,
  keymap,
  lineNumbers,
  lintGutter,
  setDiagnostics,
  syntaxHighlighting,
} from "./vendor/codemirror.js";

/** Lays an editor over `area`; `labels` are the ids of what names and describes it. */
export function edit(area, { name, about }) {
  const follow = EditorView.updateListener.of((update) => {
    if (!update.docChanged) return;
    area.value = update.state.doc.toString();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const view = new EditorView({
    doc: area.value,
    extensions: [
      // The page's styles run by its nonce alone, and so do those of the editor.
      EditorView.cspNonce.of(document.querySelector("script[nonce]")?.nonce ?? ""),
      EditorView.contentAttributes.of({ "aria-labelledby": name, "aria-describedby": about, dir: "ltr", tabindex: "0" }),
      EditorState.readOnly.of(area.readOnly),
      EditorState.tabSize.of(2),
      lineNumbers(),
      lintGutter(),
      history(),
      drawSelection(),
      bracketMatching(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      jinja(),
      syntaxHighlighting(classHighlighter),
      // Escape lets the next Tab go on to the next field (built into the editor).
      keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
      follow,
    ],
  });
  area.hidden = true;
  area.after(view.dom);
  return view;
}

/** Marks lines as wrong: `flaws` are pairs of a line, from 1, and words. */
export function mark(view, flaws) {
  const { doc } = view.state;
  const found = flaws
    .filter(([line]) => line >= 1 && line <= doc.lines)
    .map(([line, message]) => {
      const { from, to, text } = doc.line(line);
      return { from: from + (text.length - text.trimStart().length), to, severity: "error", message };
    });
  view.dispatch(setDiagnostics(view.state, found));
}

/** Puts the cursor at the beginning of a line, in view. */
export function go(view, line) {
  const { from } = view.state.doc.line(Math.min(line, view.state.doc.lines));
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
  view.focus();
}
