"""Whether a message that staff release from quarantine can be taken: a pure look at what deciding on it anew would do."""

from __future__ import annotations

from workflow.adapters.store.records import AttachmentRow
from workflow.domain.form import Severity
from workflow.domain.submission import TAKEN_OUTCOMES, AttachmentFate, AttachmentOutcome, Bucket, Finding
from workflow.process.arrival import Arrival
from workflow.process.situation import Outcome, Situation

_USED = TAKEN_OUTCOMES | {AttachmentOutcome.DUPLICATE}


def refusal(arrival: Arrival, outcome: Outcome, situation: Situation) -> str:
    """Why a released message would still not count as its unit's, in Chinese with what to do; '' when it would."""
    released = arrival.released
    assert released is not None
    fresh = [fate for fate in outcome.fates if fate not in released.kept]
    used = [fate for fate in fresh if fate.outcome in _USED]
    if not used and outcome.bucket not in {Bucket.CONFIRMATION, Bucket.WITHDRAWAL}:
        reasons = "；".join(f"{fate.name}：{fate.reason or fate.outcome}" for fate in fresh if fate.reason)
        return f"放行后仍没有可以采用的内容（{reasons or '没有可用的附件'}），请该单位重新报送"
    others = sorted({fate.unit for fate in used if fate.unit} - {released.unit})
    below = {unit.code for unit in situation.roster.below(released.unit)}
    if foreign := [code for code in others if code not in below]:
        return f"文件是 {'、'.join(foreign)} 的，请用 --unit 写明该单位"
    for version in outcome.submissions:
        key = (version.campaign, version.unit, version.form)
        earlier = [one for one in situation.submissions.get(key, ()) if one.id != version.id]
        if earlier and earlier[-1].received_at > arrival.received_at:
            newer = earlier[-1]
            return (
                f"{version.unit} 其后已报送第{newer.number}次（{newer.received_at:%Y-%m-%d %H:%M}），旧的不能顶替新的；"
                "请删除，或请该单位重新报送"
            )
    return ""


def fate_of(row: AttachmentRow) -> AttachmentFate:
    """How a file ended, from its row."""
    findings = tuple(
        Finding(
            said["code"], Severity.ERROR if said["severity"] == "error" else Severity.QUERY,
            "", "", said["cell"], "", said["message"],
        )
        for said in row.findings or ()
    )  # fmt: skip
    return AttachmentFate(
        row.index, row.name, row.sha, row.outcome, row.unit, row.form, row.campaign, findings, row.reason
    )
