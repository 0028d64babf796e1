export { explainReadFailure } from "./aws-error.ts";
export { buildHandoffClients, type HandoffClients, type HandoffClientsProps } from "./clients.ts";
export { type Clock, systemClock } from "./clock.ts";
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
export {
  addTag,
  checkImage,
  type Digest,
  findImage,
  findRepositoryUri,
  listImages,
  requireRepositoryUri,
  type StoredImage,
} from "./images/images.ts";
export { type Lease, type LeaseProps, readLeaseHolder, unlock, withLease } from "./lease/lease.ts";
export type { LeaseHolder } from "./lease/lease-log.ts";
export { type LeaseTerms, leaseTerms } from "./lease/lease-terms.ts";
export type { CanaryProps } from "./live/canary.ts";
export {
  type FunctionAlias,
  type FunctionVersion,
  findConfiguration,
  findLiveConfiguration,
  listAliases,
  listVersions,
} from "./live/function-state.ts";
export { invokeWhenAwake } from "./live/invoke-when-awake.ts";
export { type LiveResult, type MakeLiveProps, makeLive, restoreLatest } from "./live/make-live.ts";
export { findEvent, smokeEventPath } from "./live/smoke-event.ts";
export {
  listPermissions,
  type Permission,
  type Purpose,
  purposes,
} from "./permissions/permissions.ts";
export { describeProgress, type OnProgress, type Progress } from "./progress.ts";
export type { Retained, RetentionPlan } from "./prune/keep-set.ts";
export {
  type PublishedVersion,
  type Publisher,
  publishTag,
  readPublishedTag,
} from "./published/published-tag.ts";
export { type Published, resolveAllPublished, resolvePublished } from "./published/resolve.ts";
export {
  findStackStatus,
  findTemplate,
  listTemplateImages,
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
