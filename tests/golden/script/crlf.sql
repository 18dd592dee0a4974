SELECT 1;

-- note
SELECT 'a
b';
COPY t FROM STDIN;
1
\.
SELECT 3;
