import { styleText } from "node:util";
import type { Output } from "./output.ts";

type Style = Parameters<typeof styleText>[0];

/** Puts a text into a style, or leaves it as it is. The text is safe already. */
export type Paint = (style: Style, text: string) => string;

/** Colours are for terminals, and for those who have not said no (https://no-color.org). */
export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  const plain = !output.isTerminal || (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  if (plain) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}
