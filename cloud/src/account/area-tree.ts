import { NgatuError, Slug } from '@ngatu/contract';
import { type Static, Type } from '@sinclair/typebox';
import type Database from 'better-sqlite3';

const closed = { additionalProperties: false } as const;
const AREAS_MAX = 500;
const SITES_MAX = 10_000;

/** A part of the province: who holds it sees its sites and those of the areas below it. */
const Area = Type.Object(
  {
    areaId: Slug,
    name: Type.String({ minLength: 1, maxLength: 100 }),
    parent: Type.Optional(Slug),
    sites: Type.Array(Slug, {
      maxItems: SITES_MAX,
      uniqueItems: true,
      description: 'Sites of this area itself; a site belongs to one area.',
    }),
  },
  closed,
);
export type Area = Static<typeof Area>;

/** The whole tree, as the command line and the API take it. */
export const AreaFile = Type.Object({ areas: Type.Array(Area, { maxItems: AREAS_MAX }) }, closed);

/** What is wrong with the tree, or undefined. */
function findFault(tree: readonly Area[]): string | undefined {
  const byId = new Map(tree.map((area) => [area.areaId, area]));
  if (byId.size < tree.length) return 'an area is named twice';
  const owners = new Map<string, string>();
  for (const { areaId, parent, sites } of tree) {
    if (parent !== undefined && !byId.has(parent))
      return `area "${areaId}" lies in "${parent}", which is not there`;
    for (const site of sites) {
      const other = owners.get(site);
      if (other !== undefined) return `site "${site}" belongs to both "${other}" and "${areaId}"`;
      owners.set(site, areaId);
    }
    let above = parent;
    for (let steps = 0; above !== undefined; steps += 1) {
      if (steps > tree.length || above === areaId) return `area "${areaId}" lies within itself`;
      above = byId.get(above)?.parent;
    }
  }
  return undefined;
}

/** The tree of areas of this centre. */
export class AreaTree {
  constructor(private readonly database: Database.Database) {}

  list(): Area[] {
    return this.database
      .prepare<[], { areaId: string; name: string; parent: string | null; sites: string }>(
        `SELECT area_id AS areaId, name, parent,
           (SELECT json_group_array(site) FROM (SELECT site FROM area_site WHERE area_id = area.area_id ORDER BY site)) AS sites
         FROM area ORDER BY area_id`,
      )
      .all()
      .map(({ areaId, name, parent, sites }) => ({
        areaId,
        name,
        ...(parent === null ? {} : { parent }),
        sites: JSON.parse(sites) as string[],
      }));
  }

  /**
   * Puts another tree in the place of this one. Accounts keep the names of their areas: a name that is gone gives nothing.
   * @throws NgatuError REQUEST_INVALID where an area lies within itself or in none, or a site in two
   */
  replace(tree: readonly Area[]): void {
    const fault = findFault(tree);
    if (fault !== undefined) throw new NgatuError('REQUEST_INVALID', `Cannot set the areas: ${fault}`);
    this.database
      .transaction(() => {
        this.database.exec('DELETE FROM area_site; DELETE FROM area');
        const addArea = this.database.prepare('INSERT INTO area (area_id, name, parent) VALUES (?, ?, ?)');
        const addSite = this.database.prepare('INSERT INTO area_site (site, area_id) VALUES (?, ?)');
        for (const { areaId, name, parent, sites } of tree) {
          addArea.run(areaId, name, parent ?? null);
          for (const site of sites) addSite.run(site, areaId);
        }
      })
      .immediate();
  }

  /** The sites of these areas and of all below them. An area that is not there gives nothing. */
  listSites(areas: readonly string[] | 'all'): readonly string[] | 'all' {
    if (areas === 'all') return 'all';
    return this.database
      .prepare<[string], { site: string }>(
        `WITH RECURSIVE within (area_id) AS (
           SELECT value FROM json_each(?)
           UNION SELECT area.area_id FROM area JOIN within ON area.parent = within.area_id)
         SELECT site FROM area_site JOIN within USING (area_id) ORDER BY site`,
      )
      .all(JSON.stringify(areas))
      .map(({ site }) => site);
  }
}
