-- Missed calls, newest first. Days follow starts, so the order is the one by start alone, and an index by day serves it.
SELECT start, agent, num, type, seconds
FROM calls WHERE {scope} AND {missed}
ORDER BY day DESC, start DESC, agent DESC
LIMIT {page}
