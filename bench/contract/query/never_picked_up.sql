SELECT count(*)
FROM (
  SELECT num FROM calls WHERE {scope} AND {person}
  GROUP BY num
  HAVING bool_or({not_picked_up}) AND NOT bool_or({connected})
) people
