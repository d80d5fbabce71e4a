/** Where the version stands in an application, and how it is changed. */

import type { ArgoSet, ArgoTargetConfig } from '../../../domain/deploy/targets/argocd.ts';
import type { Source } from './schema.ts';

type Which = Pick<ArgoTargetConfig, 'set' | 'source'>;

interface Sources {
  readonly source?: Source | null | undefined;
  readonly sources?: readonly Source[] | null | undefined;
}

/** The source that the configuration means; undefined if there is no such. An application has one, or a list. */
export function sourceOf(of: Sources, position: number | undefined): Source | undefined {
  if (position !== undefined) return of.sources?.[position - 1];
  return of.sources?.[0] ?? of.source ?? undefined;
}

/** Undefined if it does not say. */
export function versionOf(of: Sources, { set, source: position }: Which): string | undefined {
  const source = sourceOf(of, position);
  if (source === undefined) return undefined;
  const version = versionIn(source, set);
  return version === '' ? undefined : version;
}

function versionIn(source: Source, set: ArgoSet): string | undefined {
  switch (set.kind) {
    case 'revision':
      return source.targetRevision;
    case 'helm':
      return source.helm?.parameters?.find(({ name }) => name === set.parameter)?.value;
    case 'kustomize':
      return tagOf(source.kustomize?.images?.find((image) => nameOf(image) === set.image) ?? '');
  }
}

/** One step of a JSON patch; https://www.rfc-editor.org/rfc/rfc6902. */
export interface PatchStep {
  readonly op: 'add' | 'replace' | 'test';
  readonly path: string;
  readonly value: unknown;
}

/**
 * Sets the version and nothing else. Lists are changed in the one place that is meant, and only if it still holds what was
 * read: what somebody else changes at the same time stays.
 */
export function patchOf(
  source: Source,
  { set, source: position }: Which,
  several: boolean,
  version: string,
): readonly PatchStep[] {
  const path = several ? `/spec/sources/${(position ?? 1) - 1}` : '/spec/source';
  switch (set.kind) {
    case 'revision':
      return [{ op: 'add', path: `${path}/targetRevision`, value: version }];
    case 'helm': {
      const entry = { name: set.parameter, value: version };
      const list = source.helm?.parameters ?? undefined;
      if (!source.helm) return [{ op: 'add', path: `${path}/helm`, value: { parameters: [entry] } }];
      if (list === undefined) return [{ op: 'add', path: `${path}/helm/parameters`, value: [entry] }];
      const index = list.findIndex(({ name }) => name === set.parameter);
      if (index < 0) return [{ op: 'add', path: `${path}/helm/parameters/-`, value: entry }];
      const place = `${path}/helm/parameters/${index}`;
      return [
        { op: 'test', path: `${place}/name`, value: set.parameter },
        { op: 'add', path: `${place}/value`, value: version },
      ];
    }
    case 'kustomize': {
      const list = source.kustomize?.images ?? undefined;
      if (!source.kustomize) {
        return [{ op: 'add', path: `${path}/kustomize`, value: { images: [withTag(set.image, version)] } }];
      }
      if (list === undefined)
        return [{ op: 'add', path: `${path}/kustomize/images`, value: [withTag(set.image, version)] }];
      const index = list.findIndex((image) => nameOf(image) === set.image);
      const old = list[index];
      if (old === undefined)
        return [{ op: 'add', path: `${path}/kustomize/images/-`, value: withTag(set.image, version) }];
      const place = `${path}/kustomize/images/${index}`;
      return [
        { op: 'test', path: place, value: old },
        { op: 'replace', path: place, value: withTag(old, version) },
      ];
    }
  }
}

/**
 * The name before a rename and a tag: `web` of `web=ghcr.io/acme/web:v1`, of `web:v1`, of `web@sha256:…`. A port is no tag.
 * https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/.
 */
function nameOf(image: string): string {
  const [first = ''] = image.split('=');
  return image.includes('=') ? first : bare(image);
}

function bare(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}

function tagOf(image: string): string | undefined {
  const target = image.split('=').at(-1) ?? '';
  return /@(?<digest>.+)$/.exec(target)?.groups?.['digest'] ?? /:(?<tag>[^:/]+)$/.exec(target)?.groups?.['tag'];
}

function withTag(image: string, version: string): string {
  const cut = image.indexOf('=');
  const [rename, target] = cut < 0 ? ['', image] : [image.slice(0, cut + 1), image.slice(cut + 1)];
  return `${rename}${bare(target)}${version.startsWith('sha256:') ? '@' : ':'}${version}`;
}
