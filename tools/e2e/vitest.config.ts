import { mergeConfig } from "vitest/config";
import shared from "../../vitest.shared.ts";

/** Each file runs whole commands on a local AWS of its own: side by side they would only wait for each other. */
export default mergeConfig(shared, { test: { fileParallelism: false } });
