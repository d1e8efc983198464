-- Which key a pupil is read under: `jodo:<id>` becomes `erp:<identifier>` where exactly one identifier was ever seen
-- beside that id. Each is looked up in the index: as a join with a list of all of them, a planner that expected one row
-- went through all pupils for every fee line.
CREATE OR REPLACE VIEW jodo_pupil_keys AS
SELECT s.tenant, s.pupil_key,
       coalesce('erp:' || (SELECT min(i.identifier)
                           FROM jodo_s_student_ids i
                           WHERE i.tenant = s.tenant AND i.jodo_student_id = substr(s.pupil_key, 6)
                             AND substr(s.pupil_key, 1, 5) = 'jodo:' AND i.identifier <> ''
                           HAVING count(*) = 1),
                s.pupil_key) AS read_key
FROM jodo_r_students s;
