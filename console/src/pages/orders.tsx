import { moment, money, number, t } from "../language"
import { ProblemNotice } from "../parts/notice"
import { Table } from "../parts/table"
import { usePages } from "../resource"
import { get, type Order, profilePath } from "../server"

/** Orders lists the orders of a person, the newest first. */
export function Orders({ id }: { id: string }) {
  const orders = usePages(
    async (cursor, signal) => {
      const page = await get<{ orders: Order[]; next: string | null }>(profilePath(id, "orders"), { details: "true", cursor }, signal)
      return { rows: page.orders, next: page.next }
    },
    [id],
  )
  const amount = (title: string, of: (o: Order) => number) => ({
    title,
    text: (o: Order) => String(of(o)),
    cell: (o: Order) => money(of(o), o.currency),
    numeric: true,
  })
  return (
    <>
      {orders.problem && <ProblemNotice problem={orders.problem} retry={orders.reload} />}
      {orders.value && (
        <Table
          name={t("person.orders")}
          rows={orders.value}
          more={orders.more}
          loading={orders.loading}
          columns={[
            { title: t("order.placed"), text: (o) => o.placed_at, cell: (o) => moment(o.placed_at) },
            { title: t("order.id"), text: (o) => o.id },
            { title: t("order.status"), text: (o) => o.status, cell: (o) => t(`status.${o.status}`) },
            amount(t("revenue"), (o) => o.revenue),
            amount(t("order.discount"), (o) => o.discount),
            amount(t("order.refunded"), (o) => o.refunded),
            { title: t("order.currency"), text: (o) => o.currency },
            { title: t("order.coupon"), text: (o) => o.coupon ?? "" },
            { title: t("order.lines"), text: (o) => JSON.stringify(o.lines ?? []), cell: (o) => <Lines o={o} /> },
          ]}
        />
      )}
    </>
  )
}

function Lines({ o }: { o: Order }) {
  if (!o.lines?.length) return null
  return (
    <ul class="tight">
      {o.lines.map((l) => (
        <li>
          {number(l.quantity)} × {l.name || l.sku || l.product_id || t("order.product")}
          {l.price !== undefined && <span class="quiet"> {money(l.price, o.currency)}</span>}
        </li>
      ))}
    </ul>
  )
}
