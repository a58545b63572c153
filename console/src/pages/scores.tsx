import type { ComponentChildren } from "preact"
import { moment, money, number, percent, plural, t } from "../language"
import { ProblemNotice } from "../parts/notice"
import { useResource } from "../resource"
import { get, type Profile, profilePath } from "../server"

/** ScoresPart shows the estimates about a person, each with what it was computed from. */
export function ScoresPart({ id }: { id: string }) {
  const person = useResource((signal) => get<Profile>(profilePath(id), { scores: "true" }, signal), [id])
  if (person.problem) return <ProblemNotice problem={person.problem} retry={person.reload} />
  if (!person.value) return <p class="quiet">{t("loading")}</p>
  const s = person.value.scores
  if (!s) return <p>{t("scores.off")}</p>
  const lifetime = s.order_days ? plural("scores.from.orders", s.order_days, { value: money(s.average_order_day, s.currency) }) : t("scores.from.none")
  const d = s.discount_affinity
  return (
    <>
      <p class="quiet">{t("scores.asof", { time: moment(s.as_of) })} {s.version === 0 && t("scores.cold")}</p>
      <div class="figures">
        <Score name={t("scores.clv")} value={money(s.clv, s.currency)} why={lifetime} />
        <Score name={t("scores.alive")} value={percent(s.p_alive)} bar={s.p_alive} why={lifetime} />
        <Score name={t("scores.buy")} value={percent(s.p_buy_30d)} bar={s.p_buy_30d} why={s.days_between_orders ? t("scores.between", { days: number(s.days_between_orders) }) : lifetime} />
        <Score name={t("scores.discount")} value={t(`band.${d.band}`)} bar={d.band === "unknown" ? undefined : d.score} why={t("scores.depth", { share: percent(d.depth) })}>
          {d.trials.length > 0 && <ul class="tight">{d.trials.map((r) => <li>{t(`trial.${r.kind}`, { won: number(r.won), of: number(r.of), all: percent(r.population) })}</li>)}</ul>}
        </Score>
        <Score name={t("scores.offer")} value={percent(s.offer_probability)} bar={s.offer_probability} why={t("scores.offer.note")} />
        {s.rfm && <Score name={t("scores.rfm")} value={`${s.rfm.recency} · ${s.rfm.frequency} · ${s.rfm.money}`} why={t("scores.rfm.note")} />}
      </div>
      {s.interests.length > 0 && (
        <>
          <h2>{t("scores.interests")}</h2>
          <ul>{s.interests.slice(0, 8).map((i) => <li>{i.category}: {percent(i.share)} <span class="quiet">{plural("scores.dealings", i.count, { lift: number(i.lift) })}</span></li>)}</ul>
        </>
      )}
    </>
  )
}

const Score = ({ name, value, bar, why, children }: { name: string; value: string; bar?: number; why: string; children?: ComponentChildren }) => (
  <section class="card">
    <h3>{name}</h3>
    <p class="figure">{value}</p>
    {bar !== undefined && <meter min={0} max={1} value={bar} aria-label={name} />}
    <p class="quiet">{t("scores.estimate")} {why}</p>
    {children}
  </section>
)
