"""The revisions, named by their number; `newsletter.store.database.REVISION` names the last."""
