CREATE TABLE t (a text);
COPY t (a) FROM stdin WITH (FORMAT csv); -- data follows
one;
'two
\.three
\.
COPY t TO STDOUT;
COPY "t" FROM STDIN;
\.

SELECT 1;
