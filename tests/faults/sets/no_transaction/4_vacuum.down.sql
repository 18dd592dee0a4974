DELETE FROM rooms WHERE name = 'added before the vacuum';
DELETE FROM witnesses WHERE said = 'behind the vacuum';
