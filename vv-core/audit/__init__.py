"""Signatures of LogLines: canonical form, keys, signing, verifying, and the auditor's report.

The rules are those of ``docs/audit-log.md``. Decisions (`verify`, `signing`, `canonical`) take data and
return data; files are touched in `regular_file`, `keys` and `audit_folder` only.
"""
