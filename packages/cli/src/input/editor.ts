import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError, wrongUse } from "../errors/cli-error.ts";
import { EXIT } from "../errors/exit-code.ts";

/** A text in the user's editor. */
export interface EditedText {
  /** What the editor left. */
  readonly text: string;
  readonly path: string;
  /** Opens the editor once more. */
  again(): Promise<EditedText>;
  /** Removes the file; until then it is there to be rescued. */
  discard(): Promise<void>;
}

/** The editor's command line, as the shell would read it. */
export function editorOf(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): string {
  const editor = env.VISUAL || env.EDITOR || (isTerminal ? "vi" : "");
  if (editor !== "") return editor;
  throw wrongUse("There is no editor.", "Set EDITOR, such as EDITOR=nano.");
}

/**
 * Has the user edit a text, in a private file.
 *
 * @throws CliError `editor-failed`; the text is then as it was
 */
export async function edit(text: string, editor: string): Promise<EditedText> {
  const folder = await mkdtemp(join(tmpdir(), "papa-"));
  const path = join(folder, "payload.json");
  const discard = () => rm(folder, { recursive: true, force: true });
  const opened = async (): Promise<EditedText> => {
    await open(editor, path);
    return { text: await readFile(path, "utf8"), path, again: opened, discard };
  };
  try {
    await writeFile(path, text, { mode: 0o600 });
    return await opened();
  } catch (error) {
    await discard();
    throw error;
  }
}

function open(editor: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // By a shell, since editors have arguments ("code --wait"); the path goes in as an argument, whatever it has in it.
    const child =
      process.platform === "win32"
        ? spawn(`${editor} "${path}"`, { stdio: "inherit", shell: true })
        : spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      const how = code === null ? `was ended by ${signal}` : `ended with ${code}`;
      reject(new CliError("editor-failed", `The editor ${how}.`, EXIT.wrongUse, "Nothing was sent."));
    });
  });
}
