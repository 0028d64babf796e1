export interface Repository {
  readonly repositoryName: string;
  readonly imageTagMutability: ImageTagMutability;
  readonly imageTagMutabilityExclusionFilters?: readonly ExclusionFilter[];
  readonly imageScanningConfiguration: { readonly scanOnPush: boolean };
  readonly encryptionConfiguration: { readonly encryptionType: string; readonly kmsKey?: string };
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly lifecyclePolicyText?: string;
  readonly policyText?: string;
  readonly tags: Readonly<Record<string, string>>;
}

export type ImageTagMutability =
  | "MUTABLE"
  | "IMMUTABLE"
  | "IMMUTABLE_WITH_EXCLUSION"
  | "MUTABLE_WITH_EXCLUSION";

export interface ExclusionFilter {
  /** A tag, in which `*` stands for any characters: `content-*`. */
  readonly filter: string;
  readonly filterType: "WILDCARD";
}

/** @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html */
const namePattern = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export function isRepositoryName(name: unknown): name is string {
  return typeof name === "string" && name.length >= 2 && name.length <= 256 && namePattern.test(name);
}

/**
 * Whether the tag stays with the image that has it.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
export function isImmutable(repository: Repository, tag: string): boolean {
  const { imageTagMutability, imageTagMutabilityExclusionFilters = [] } = repository;
  const excluded = imageTagMutabilityExclusionFilters.some(({ filter }) => matchesWildcard(tag, filter));
  switch (imageTagMutability) {
    case "IMMUTABLE":
      return true;
    case "IMMUTABLE_WITH_EXCLUSION":
      return !excluded;
    case "MUTABLE_WITH_EXCLUSION":
      return excluded;
    case "MUTABLE":
      return false;
  }
}

function matchesWildcard(tag: string, filter: string): boolean {
  const literals = filter.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`).test(tag);
}
