/** A word of a Lua program. */
export interface Token {
  readonly kind: "name" | "keyword" | "number" | "string" | "symbol" | "end";
  readonly text: string;
  readonly line: number;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  "and break do else elseif end false for function if in local nil not or repeat return then true until while".split(
    " ",
  ),
);

const PATTERN =
  /(?<space>\s+|--[^\n]*)|(?<name>[A-Za-z_]\w*)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|(?<symbol>\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^#<>=(){}[\];:,.])/y;

/** Takes a Lua program apart. @throws Error at what is not Lua, or is more of it than scripts need */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  PATTERN.lastIndex = 0;
  while (PATTERN.lastIndex < source.length) {
    const from = PATTERN.lastIndex;
    const groups = PATTERN.exec(source)?.groups;
    if (groups === undefined) throw new Error(`Lua: line ${line}: ${JSON.stringify(source.slice(from, from + 20))}`);
    const { space, name, number, string, symbol } = groups;
    if (space !== undefined) line += space.split("\n").length - 1;
    else if (name !== undefined) tokens.push({ kind: KEYWORDS.has(name) ? "keyword" : "name", text: name, line });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, line });
    else if (string !== undefined) tokens.push({ kind: "string", text: unquoted(string), line });
    else if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, line });
  }
  tokens.push({ kind: "end", text: "the end", line });
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0" };

function unquoted(string: string): string {
  return string.slice(1, -1).replaceAll(/\\(.)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}
