DROP TABLE jodo_s_student_ids;
DROP TABLE jodo_r_manual_payments;
DROP TABLE jodo_r_students;
DROP TABLE jodo_workers;
DROP TABLE jodo_unverified;
DROP TABLE jodo_events;
