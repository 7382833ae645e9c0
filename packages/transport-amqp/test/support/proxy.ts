import { type BrokerProxy, startProxy } from "@papa-events/conformance/brokers";
import { onTestFinished } from "vitest";
import { brokerUrl } from "./broker.ts";

/** Starts a proxy in front of the broker that can be cut and closed; it ends with the test. */
export async function startTestProxy(): Promise<BrokerProxy> {
  const { hostname, port } = new URL(brokerUrl());
  const proxy = await startProxy(hostname, Number(port || 5672), (host, at) => `amqp://${host}:${at}`);
  onTestFinished(() => proxy.close());
  return proxy;
}
