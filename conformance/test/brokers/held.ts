// A run that is killed while it has a broker: says where it is, then waits.
import { redis } from "../../src/brokers/index.ts";

const broker = await redis("7.0");
console.log(broker.uri);
setInterval(() => {}, 1_000);
