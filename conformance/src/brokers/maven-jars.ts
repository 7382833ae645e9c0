import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { announce, cacheFolder } from "./cache.ts";
import { has, run } from "./shell.ts";

/** The folder with an artifact of Maven Central and everything it needs, fetched if it is not there. @throws Error */
export async function mavenJars(artifact: string, version: string, why: string): Promise<string> {
  const [group, id] = artifact.split(":");
  const folder = join(cacheFolder("jars"), `${id}-${version}`);
  for (const tool of ["java", "mvn", "flock"])
    if (!(await has(tool))) throw new Error(`fetching ${artifact} needs ${tool}`);
  if (existsSync(join(folder, ".complete"))) return folder;
  announce(`fetching ${artifact} ${version} and what it needs into ${folder}, once, some 50 MB; ${why}`);
  const pom = cacheFolder("poms", `${id}-${version}`);
  writeFileSync(
    join(pom, "pom.xml"),
    `<project><modelVersion>4.0.0</modelVersion><groupId>papa-events</groupId><artifactId>jars</artifactId><version>1</version><dependencies><dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${version}</version></dependency></dependencies></project>\n`,
  );
  const fetch = `[ -e "$1/.complete" ] || { mvn -q -B dependency:copy-dependencies -DoutputDirectory="$1" && touch "$1/.complete"; }`;
  await run("flock", [`${folder}.lock`, "sh", "-c", fetch, "fetch-jars", folder], pom);
  return folder;
}
