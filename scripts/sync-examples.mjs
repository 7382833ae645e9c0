// Puts the files that documents show into them: each code block behind `<!-- path -->` is that file's text. With --check it
// writes nothing and says which documents are out of date.
import { readFileSync, writeFileSync } from "node:fs";

const documents = ["README.md", "docs/README.es.md"];
const block = /<!-- (\S+) -->\n```ts\n[\s\S]*?```/g;

const outdated = documents.filter((document) => {
  const text = readFileSync(document, "utf8");
  const synced = text.replace(block, (_, path) => `<!-- ${path} -->\n\`\`\`ts\n${readFileSync(path, "utf8")}\`\`\``);
  if (synced !== text && !process.argv.includes("--check")) writeFileSync(document, synced);
  return synced !== text;
});

if (process.argv.includes("--check") && outdated.length > 0) {
  console.error(`${outdated.join(", ")}: not the examples as they are; run "npm run docs".`);
  process.exit(1);
}
