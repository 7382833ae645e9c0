import { conformance } from "../src/index.ts";
import { memoryDescription } from "./memory-description.ts";

conformance(memoryDescription());
