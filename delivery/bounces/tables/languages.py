"""The same in other languages."""

from delivery.bounces.reasons import BounceReason as Why
from delivery.bounces.tables.row import row

ROWS = (
    row(
        "full-elsewhere",
        Why.MAILBOX_FULL,
        "Exchange and providers in German, French, Spanish, Portuguese, Italian, Dutch, "
        "Polish, Czech, Russian, Japanese, Chinese, Korean",
        """
        postfach ist voll | postfach voll | postfach des empfängers ist voll
        | postfach … überfüllt | mailbox ist voll | speicherplatz … überschritten
        | boîte aux lettres est pleine | boîte de réception … pleine | boite aux lettres pleine
        | boîte … pleine | buzón está lleno | buzón lleno | buzón … lleno | cuota excedida
        | cuota … excedida | ha superado su cuota | caixa de correio está cheia
        | caixa postal cheia | caixa … cheia | cota excedida | casella … piena
        | casella di posta piena | postvak is vol | mailbox is vol | mailbox vol | skrzynka pełna
        | skrzynka … pełna | skrzynka … przepełniona | skrzynka odbiorcza jest pełna
        | schránka je plná | schránka … plná | ящик переполнен | ящик … переполнен
        | ящик заполнен | почтовый ящик полон | превышена квота | メールボックスがいっぱい
        | メールボックスが一杯 | メールボックスの容量 | 容量を超え | 容量が … 超え
        | 受信箱がいっぱい | 受信箱が一杯 | 信箱已满 | 邮箱已满 | 邮箱空间不足 | 邮箱容量
        | 超出邮箱 | 超过配额 | 信箱已滿 | 郵箱已滿 | 空間不足 | 사서함이 꽉 | 메일함이 가득
        | 용량이 초과
        """,
    ),
    row(
        "too-large-elsewhere",
        Why.MESSAGE_TOO_LARGE,
        "Exchange and providers in German, French, Spanish, Japanese, Chinese",
        """
        nachricht ist zu groß | nachricht zu groß | nachricht … zu groß
        | message est trop volumineux | message trop volumineux | mensaje es demasiado grande
        | mensaje … demasiado grande | mensagem é muito grande | messaggio è troppo grande
        | wiadomość jest za duża | слишком большое | サイズが大きすぎ | サイズの上限 | サイズ制限
        | サイズが制限 | 邮件过大 | 邮件太大
        """,
    ),
    row(
        "moved-elsewhere",
        Why.ADDRESS_MOVED,
        "Providers in German, French, Japanese",
        """
        neue adresse lautet | adresse hat sich geändert | nouvelle adresse est
        | dirección ha cambiado | アドレスは変更されました
        """,
    ),
    row(
        "closed-elsewhere",
        Why.MAILBOX_DISABLED,
        "Providers in German, French, Spanish, Portuguese, Italian, Polish, Russian, "
        "Japanese, Chinese",
        """
        konto ist deaktiviert | konto … deaktiviert | postfach … deaktiviert
        | postfach … gesperrt | compte est désactivé | compte désactivé | compte … désactivé
        | boîte … désactivée | cuenta … desactivada | cuenta … deshabilitada
        | buzón … deshabilitado | conta … desativada | caixa … desativada | account … disattivato
        | casella … disabilitata | konto … zablokowane | konto … nieaktywne | konto wyłączone
        | ящик … заблокирован | аккаунт … заблокирован | учетная запись … отключена
        | アカウントは無効 | アカウントが無効 | 利用停止 | 帐号已被停用 | 账号已停用
        | 账户已被禁用 | 帐户已禁用 | 邮箱已被冻结
        """,
    ),
    row(
        "no-domain-elsewhere",
        Why.DOMAIN_UNKNOWN,
        "Exchange and providers in German, French, Spanish, Polish, Russian, Japanese, Chinese",
        """
        domäne … nicht gefunden | domain … nicht gefunden | domain existiert nicht
        | domaine … introuvable | domaine … n'existe pas | no se encontró el dominio
        | dominio … no existe | dominio … no se encontró | domínio … não existe
        | domínio … não foi encontrado | dominio … non esiste | domena nie istnieje
        | домен … не найден | домен не существует | ドメインが存在しません
        | ドメインが見つかりません | 宛先ドメイン | 域名不存在 | 域名解析
        """,
    ),
    row(
        "no-user-elsewhere",
        Why.USER_UNKNOWN,
        "Exchange and providers in German, French, Spanish, Portuguese, Italian, Dutch, "
        "Polish, Czech, Swedish, Danish, Russian, Turkish, Japanese, Chinese, Korean",
        """
        empfänger unbekannt | empfänger … unbekannt | benutzer unbekannt | benutzer … unbekannt
        | unbekannter benutzer | unbekannter empfänger | adresse unbekannt
        | adresse … nicht gefunden | empfänger … nicht gefunden | adresse existiert nicht
        | postfach existiert nicht | e-mail-konto … existiert nicht | existiert nicht
        | nicht bekannt | n'existe pas | utilisateur inconnu | utilisateur … inconnu
        | destinataire inconnu | destinataire … introuvable | adresse inconnue
        | adresse … introuvable | adresse … n'a pas été trouvée | boîte … inexistante | no existe
        | usuario desconocido | usuario … desconocido | destinatario desconocido
        | no se encontró … dirección | no se encontró la dirección | no se encontró … en
        | no se ha encontrado | dirección … no encontrada | no se pudo encontrar | não existe
        | usuário desconhecido | usuário … desconhecido | utilizador desconhecido
        | destinatário desconhecido | não foi encontrado | não foi possível encontrar
        | endereço … inválido | utente sconosciuto | utente … sconosciuto
        | destinatario sconosciuto | indirizzo … non trovato | impossibile trovare | non esiste
        | inesistente | onbekende gebruiker | gebruiker onbekend | bestaat niet | niet gevonden
        | nie istnieje | nieznany użytkownik | nieznany odbiorca | użytkownik nieznany
        | nie znaleziono | nie ma takiego | neexistuje | neznámý uživatel | finns inte
        | hittades inte | findes ikke | blev ikke fundet | finnes ikke | ei löydy
        | kullanıcı bulunamadı | bulunamadı | пользователь не найден | не найден | не существует
        | нет такого | неизвестный пользователь | получатель не найден | ユーザーが見つかりません
        | ユーザが見つかりません | 見つかりませんでした | 見つかりません | 存在しません
        | 存在しない | 存在いたしません | 宛先不明 | あて先不明 | 宛先が不明 | 宛て先 … 不明
        | アドレスが不明 | アドレスが間違って | アドレスに誤り | アドレスが正しく | 用户不存在
        | 不存在 | 无此用户 | 用户未找到 | 找不到用户 | 找不到 | 未找到 | 收件人地址错误
        | 收件人不存在 | 使用者不存在 | 查無此 | 無此使用者 | 존재하지 않 | 찾을 수 없
        | 없는 사용자
        """,
    ),
    row(
        "refused-elsewhere",
        Why.SPAM_REFUSED,
        "Providers in German, French, Spanish, Russian, Japanese, Chinese",
        """
        unerwünschte werbung | courrier indésirable | correo no deseado | lixo eletrônico
        | posta indesiderata | подозрению в спаме | спам | спама | спамом | スパム | 迷惑メール
        | 垃圾邮件 | 疑似垃圾 | 垃圾郵件 | 스팸
        """,
    ),
    row(
        "policy-elsewhere",
        Why.POLICY_REFUSED,
        "Providers in German, French, Spanish, Italian, Russian, Japanese, Chinese",
        """
        nicht berechtigt | keine berechtigung | berechtigung … nicht | richtlinie | richtlinien
        | zugriff verweigert | n'êtes pas autorisé | n'avez pas l'autorisation | non autorisé
        | accès refusé | règle de sécurité | no tiene permiso | no está autorizado
        | acceso denegado | directiva | não tem permissão | acesso negado | non autorizzato
        | accesso negato | brak uprawnień | нет разрешения | доступ запрещен | политик | 受信拒否
        | 受信を拒否 | 拒否しました | 拒否され | 許可されて | ポリシー | 拒收 | 被拒绝 | 拒绝接收
        | 黑名单 | 策略
        """,
    ),
    row(
        "rate-elsewhere",
        Why.RATE_LIMITED,
        "Providers in Chinese and Japanese",
        """
        频率限制 | 发送频率 | 发信频率 | 超过频率 | 送信数制限 | 送信通数 | 流量制限
        """,
    ),
    row(
        "network-elsewhere",
        Why.NETWORK,
        "Exchange and providers in German, French, Spanish, Polish, Russian, Japanese, Chinese",
        """
        zeitüberschreitung | keine verbindung | verbindung … fehlgeschlagen
        | verbindung … abgelehnt | délai … dépassé | impossible de se connecter
        | impossible de joindre | ne répond pas | tiempo de espera | no se pudo conectar
        | no responde | tempo limite | não foi possível conectar | impossibile connettersi
        | przekroczono limit czasu | nie można połączyć | не удалось подключиться
        | время ожидания | タイムアウト | 接続できません | 接続に失敗 | 连接超时 | 无法连接
        | 连接失败 | 超时
        """,
    ),
    row(
        "expired-elsewhere",
        Why.EXPIRED,
        "Exchange and providers in German, French, Spanish, Japanese",
        """
        nicht innerhalb von … zugestellt | aufgegeben | a expiré | expiré | ha caducado
        | caducado | expirou | è scaduto | scaduto | wygasł | истек срок | 期限切れ | 配送期限
        | 时间内 … 未能
        """,
    ),
)
