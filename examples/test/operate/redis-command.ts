import { connect } from "node:net";

/** Has a Redis carry out a command, and gives the text of its reply. */
export function redisCommand(uri: string, command: string): Promise<string> {
  const { hostname, port } = new URL(uri);
  const socket = connect(Number(port), hostname, () => socket.end(`${command}\r\nQUIT\r\n`));
  let reply = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    reply += text;
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => {
      if (reply.startsWith("-")) reject(new Error(`${command}: ${reply.trim()}`));
      else resolve(reply);
    });
  });
}
