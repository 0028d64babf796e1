import type { ServiceContext } from "../../service.ts";

export type Properties = Readonly<Record<string, unknown>>;

/** What a resource is after it was made or changed. */
export interface Made {
  readonly physicalId: string;
  /** What `Fn::GetAtt` can ask for. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Where a resource stands, for names that are made up and for custom resources. */
export interface ResourceContext {
  readonly services: ServiceContext;
  readonly stackName: string;
  readonly stackId: string;
  readonly logicalId: string;
  readonly type: string;
  /**
   * Says that a resource now exists, though it isn't finished yet: from here on a rollback removes it. What `create`
   * makes in one step needs no claim.
   */
  readonly claim: (physicalId: string) => void;
}

/** How one type of resource is made, changed and deleted: by calls of the service's own API. */
export interface ResourceType {
  /** Every property that has an effect, or none that would be missed; all others are refused by name. */
  readonly properties: readonly string[];
  /** Properties whose change makes a new resource. */
  readonly replacedBy: readonly string[];
  readonly create: (properties: never, context: ResourceContext) => Promise<Made>;
  /** @default every change makes a new resource */
  readonly update?: (
    physicalId: string,
    properties: never,
    old: never,
    context: ResourceContext,
  ) => Promise<Made>;
  /** A resource that is gone already counts as deleted. */
  readonly delete: (physicalId: string, properties: never, context: ResourceContext) => Promise<void>;
}

/** A made-up name, as CloudFormation makes them: stack, logical id, and something that is nobody else's. */
export function buildName({ stackName, logicalId }: ResourceContext, lengthLimit = 64): string {
  const suffix = Math.random().toString(36).slice(2, 14);
  return `${`${stackName}-${logicalId}`.slice(0, lengthLimit - suffix.length - 1)}-${suffix}`;
}

/** For deletes: what is gone already is deleted. */
export async function unlessGone(names: readonly string[], work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Error) || !names.includes(error.name)) throw error;
  }
}
