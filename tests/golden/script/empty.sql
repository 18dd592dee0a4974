-- nothing here;
/* ; */ ;;
