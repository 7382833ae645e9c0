// Puts the code that documents show into them: each code block behind `<!-- path -->` is that file's text, behind
// `<!-- path#name -->` what stands between `// #region name` and `// #endregion` in it. TypeScript that is not taken from a file
// is an error, since nobody would notice when it is wrong. With --check it writes nothing and says what is out of date.
import { globSync, readFileSync, writeFileSync } from "node:fs";

const documents = ["README.md", ...globSync("docs/*.md"), ...globSync("docs/brokers/*.md")];
const BLOCK = /<!-- ([^\s#]+)(?:#(\S+))? -->\n```ts\n[\s\S]*?```/g;
const check = process.argv.includes("--check");
const problems = [];

for (const document of documents) {
  const text = readFileSync(document, "utf8");
  const synced = text.replace(BLOCK, (_, path, region) => {
    const marker = region === undefined ? path : `${path}#${region}`;
    return `<!-- ${marker} -->\n\`\`\`ts\n${codeOf(path, region)}\`\`\``;
  });
  for (const { index } of synced.replace(BLOCK, (block) => block.replaceAll("`", " ")).matchAll(/^```ts$/gm)) {
    problems.push(`${document}:${lineOf(synced, index)}: code that is taken from no file`);
  }
  if (synced === text) continue;
  if (check) problems.push(`${document}: not the examples as they are; run "npm run docs"`);
  else writeFileSync(document, synced);
}

for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

/** A file's text, or a region of it, moved to the left. */
function codeOf(path, region) {
  const text = readFileSync(path, "utf8");
  if (region === undefined) return text;
  const lines = text.split("\n");
  const begin = lines.findIndex((line) => line.trim() === `// #region ${region}`);
  const end = lines.findIndex((line, number) => number > begin && line.trim() === "// #endregion");
  if (begin < 0 || end < 0) throw new Error(`${path} has no region "${region}".`);
  const inside = lines.slice(begin + 1, end);
  const indent = Math.min(...inside.filter((line) => line !== "").map((line) => line.search(/\S/)));
  return inside.map((line) => `${line.slice(indent)}\n`).join("");
}

function lineOf(text, index) {
  return text.slice(0, index).split("\n").length;
}
