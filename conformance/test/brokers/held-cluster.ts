// A run that is killed while it has a cluster: says where one of its nodes is, then waits.
import { redisSentinel } from "../../src/brokers/index.ts";

const [node] = (await redisSentinel("valkey-9.1")).nodes;
console.log(node?.nodes[0]?.uri);
setInterval(() => {}, 1_000);
