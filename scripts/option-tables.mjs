// Writes the tables of options into docs/options.md: each table behind `<!-- options: path#Interface -->` lists the members of
// that interface, with what their TSDoc says. A default is what stands before "unless set". With --check it writes
// nothing and fails where a table is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript-5.9";

const document = "docs/options.md";
const TABLE = /<!-- options: (\S+?)#(\w+) -->\n(?:\n?\|.*\n)*/g;
const parsed = new Map();

const text = readFileSync(document, "utf8");
const written = text.replace(TABLE, (_, path, name) => `<!-- options: ${path}#${name} -->\n\n${tableOf(path, name)}`);
if (!process.argv.includes("--check")) writeFileSync(document, written);
else if (written !== text) {
  console.error(`${document}: not the options as they are; run "npm run docs".`);
  process.exit(1);
}

function tableOf(path, name) {
  const rows = optionsOf(path, name).map(({ name, type, about, fallback }) =>
    [`\`${name}\``, `\`${type}\``, fallback, about].map((cell) => cell.replaceAll("|", "\\|")).join(" | "),
  );
  return ["| option | type | default | |", "| --- | --- | --- | --- |", ...rows.map((row) => `| ${row} |`), ""].join(
    "\n",
  );
}

/** The members of an interface, those of the interfaces it extends last. */
function optionsOf(path, name) {
  const source = sourceOf(path);
  const declaration = source.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === name);
  if (declaration === undefined) throw new Error(`${path} has no interface ${name}.`);
  const own = declaration.members.map((member) => optionOf(member, declaration, source));
  const inherited = (declaration.heritageClauses ?? []).flatMap(({ types }) =>
    types.flatMap(({ expression }) => optionsOf(...placeOf(expression.getText(source), source, path))),
  );
  // What is reserved is no option yet.
  return [...own.filter(({ type }) => type !== "never"), ...inherited];
}

function optionOf(member, declaration, source) {
  const name = member.name.getText(source);
  const type = typeOf(member, declaration, source);
  const documented = commentFor(member, type, declaration, source);
  if (documented === undefined) throw new Error(`${source.fileName}: "${name}" has no TSDoc.`);
  const [about, stated] = withoutDefault(documented);
  const fallback =
    member.questionToken === undefined ? "required" : stated === undefined ? "none" : withUnit(stated, about);
  return { name, type, fallback, about };
}

function typeOf(member, declaration, source) {
  const type = member.type
    .getText(source)
    .replace(/\s*\|\s*undefined$/, "")
    .replace(/\s+/g, " ");
  // A type parameter says nothing; what it has to be does.
  const parameter = declaration.typeParameters?.find((each) => each.name.text === type);
  return (parameter?.constraint.getText(source).replace(/ \|.*/, "") ?? type).replace(/^\((.*)\)$/, "$1");
}

/** Takes "...; 3 unless set, or fewer." apart into what an option is and what it is unless set. */
function withoutDefault(documented) {
  const found = /^(.*)[;.] ((?:[^;.]|\.\d)+?),? unless set(, [^;.]+)?[.;]?(.*)$/.exec(documented);
  if (found === null) return [documented, undefined];
  const [, before, stated, more = "", after] = found;
  return [sentences(before, after), stated.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase()) + more];
}

/** A number without its unit in the column of defaults would have to be looked up in the text. */
function withUnit(stated, about) {
  const unit = { Milliseconds: "ms", Seconds: "s" }[/^\w+/.exec(about)?.[0]];
  const bytes = /^The most bytes/.test(about) ? "bytes" : undefined;
  return /^[\d,]+$/.test(stated) && (unit ?? bytes) !== undefined ? `${stated} ${unit ?? bytes}` : stated;
}

/** Its own, or that of its type, or of the member before it, with which it belongs together, or of the interface. */
function commentFor(member, type, declaration, source) {
  const before = declaration.members.slice(0, declaration.members.indexOf(member) + 1).map(commentOf);
  return (
    before.at(-1) ??
    commentOf(source.statements.find((each) => each.name?.text === type)) ??
    before.findLast(Boolean) ??
    commentOf(declaration)
  );
}

function sentences(...parts) {
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  return parts
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => (/[.:]$/.test(part) ? part : `${part}.`))
    .map(capital)
    .join(" ");
}

function commentOf(node) {
  const comment = node?.jsDoc?.at(-1)?.comment;
  const text =
    typeof comment === "string" ? comment : comment?.map(({ text, name }) => name?.getText() ?? text).join("");
  return text?.replace(/\s+/g, " ").trim();
}

/** Where an interface is declared: in the same file, or where it is imported from. */
function placeOf(name, source, path) {
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const names = statement.importClause?.namedBindings?.elements ?? [];
    if (names.some((each) => each.name.text === name))
      return [join(dirname(path), statement.moduleSpecifier.text), name];
  }
  return [path, name];
}

function sourceOf(path) {
  if (!parsed.has(path)) {
    parsed.set(path, ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true));
  }
  return parsed.get(path);
}
