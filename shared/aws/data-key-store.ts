import type { OrganizationId } from '../contract/ids.ts';
import type { DataKeyStore, WrappedDataKey } from '../envelope/data-keys.ts';
import { withoutNulls } from './expressions.ts';
import { unavailable } from './failures.ts';
import type { Table } from './table.ts';
import { dataKeyKey, type Key } from './table-layout.ts';

type Absent = 'environment' | 'recovery';

/** A data key; what is null is absent. */
interface DataKeyItem
  extends Key,
    Omit<WrappedDataKey, 'id' | 'org' | Absent>,
    Partial<Pick<WrappedDataKey, Absent>> {}

/** Wrapped data keys in DynamoDB. */
export class DynamoDataKeyStore implements DataKeyStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async add({ org, id, environment, wrapped, recovery, created_at }: WrappedDataKey): Promise<void> {
    const put = withoutNulls({ ...dataKeyKey(org, id), environment, wrapped, recovery, created_at });
    const when = { text: 'attribute_not_exists(#pk)', names: ['pk'] };
    if ((await this.#table.transact([{ put, when }])) !== null) throw unavailable();
  }

  async find(org: OrganizationId, ids: readonly string[]): Promise<readonly WrappedDataKey[]> {
    const items = await this.#table.getMany<DataKeyItem>(ids.map((id) => dataKeyKey(org, id)));
    return items.map(({ sk, environment = null, wrapped, recovery = null, created_at }) => {
      return { id: sk, org, environment, wrapped, recovery, created_at };
    });
  }
}
