let lastTime = Number.NaN;
let lastText = "";

/** A time as ISO 8601 in UTC. Events of one millisecond share the text: making it costs as much as parsing a small payload. */
export function isoTime(time: number): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
}

/** An ISO 8601 time in milliseconds, or `undefined`. */
export function parseTime(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
