export { stopServer } from "./attachment.ts";
export { decide, type PolicyDocument, type PolicyStatement } from "./iam/policy.ts";
export type { RecordedCall } from "./server.ts";
