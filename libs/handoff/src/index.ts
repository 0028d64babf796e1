export { explainFailure, explainReadFailure, isAwsError, unlessAwsError } from "./aws-error.ts";
export { explainAwsFailure } from "./aws-failure.ts";
export { type Caller, findCaller, refuseOtherAccount } from "./caller.ts";
export { buildHandoffClients, type HandoffClients, type HandoffClientsProps } from "./clients.ts";
export type { Clock } from "./clock.ts";
export { type DeployProps, type DeployResult, deployInfra } from "./commands/deploy.ts";
export {
  type CopyProps,
  type PromoteProps,
  type PromoteResult,
  type PromotionSide,
  type PromotionSource,
  planPromotion,
  promoteImage,
} from "./commands/promote.ts";
export { defaultKeepReleases, type PruneProps, planPrune, prune } from "./commands/prune.ts";
export {
  type PushTarget,
  planRelease,
  type ReleasePlan,
  type ReleaseProps,
  type ReleaseResult,
  releaseImage,
} from "./commands/release.ts";
export {
  planRollback,
  type RollbackProps,
  type RollbackResult,
  type RollbackTarget,
  rollbackTo,
} from "./commands/rollback.ts";
export { type Digest, findImage, type StoredImage } from "./images/images.ts";
export { type Lease, type LeaseProps, readLeaseHolder, unlock, withLease } from "./lease/lease.ts";
export type { LeaseHolder } from "./lease/lease-log.ts";
export type { CanaryProps } from "./live/canary.ts";
export {
  type FunctionAlias,
  type FunctionVersion,
  findConfiguration,
  findLiveConfiguration,
} from "./live/function-state.ts";
export { invokeWhenAwake } from "./live/invoke-when-awake.ts";
export type { LiveResult } from "./live/make-live.ts";
export { findEvent, smokeEventPath } from "./live/smoke-event.ts";
export {
  listPermissions,
  type Permission,
  type Purpose,
  purposes,
} from "./permissions/permissions.ts";
export { describeProgress, type OnProgress, type Progress } from "./progress.ts";
export type { Retained, RetentionPlan } from "./prune/keep-set.ts";
export { type Publisher, readPublishedTag } from "./published/published-tag.ts";
export { type Published, resolveAllPublished, resolvePublished } from "./published/resolve.ts";
export {
  findTemplate,
  type SettledStack,
  waitUntilStackSettled,
} from "./stack/stack.ts";
export {
  findDrift,
  type HandoffState,
  type LiveVersion,
  listReleases,
  type PublishedRelease,
  readHandoffState,
} from "./status/hand-off-state.ts";
